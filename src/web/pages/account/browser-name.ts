/** The first that matches names it: most browsers name those that they descend from, too. */
const BROWSERS: [name: string, mark: RegExp][] = [
  ['Edge', /Edg(?:e|A|iOS)?\/(\d+)/],
  ['Opera', /OPR\/(\d+)/],
  ['Samsung Internet', /SamsungBrowser\/(\d+)/],
  ['Firefox', /(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /(?:Chrome|CriOS)\/(\d+)/],
  ['Safari', /Version\/(\d+).* Safari\//],
]
const SYSTEMS: [name: string, mark: RegExp][] = [
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Android', /Android/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux/],
]

/** "Chrome 147 · Linux"; an agent that is no known browser is shown as it is. */
export function browserName(userAgent: string): string {
  for (const [browser, mark] of BROWSERS) {
    const version = mark.exec(userAgent)?.[1]
    if (version === undefined) continue
    const system = SYSTEMS.find(([, sign]) => sign.test(userAgent))?.[0]
    return [`${browser} ${version}`, system].filter(Boolean).join(' · ')
  }
  return userAgent
}
