/** The mark and the name. */
export function Logo() {
  return (
    <span
      dir="ltr"
      style={{ display: 'inline-flex', alignItems: 'center', gap: 9, fontWeight: 650, fontSize: '1rem', letterSpacing: '-0.01em' }}
    >
      <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="#4f46e5" />
        <path d="M10 10h12L10.5 22H22" fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      zinc
    </span>
  )
}
