/**
 * Preloaded into a program: its clock is wrong by CLOCK_AHEAD_MS, as that of a machine without NTP.
 * Timers run as ever.
 */
const aheadMs = Number(process.env.CLOCK_AHEAD_MS)
const RightDate = Date

globalThis.Date = class extends RightDate {
  constructor(...parts: unknown[]) {
    if (parts.length === 0) super(RightDate.now() + aheadMs)
    else super(...(parts as [number]))
  }
  static override now = () => RightDate.now() + aheadMs
} as DateConstructor
