import classes from './code-line.module.css'
import { CopyButton } from './copy-button.tsx'

/** One line to copy somewhere else: an address, a list of scopes, a command. */
export function CodeLine({ value, what, onCopy }: { value: string; what: string; onCopy?: () => void }) {
  return (
    <div className={classes.line}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, which the keyboard must reach */}
      <code dir="ltr" tabIndex={0}>
        {value}
      </code>
      <CopyButton value={value} what={what} onCopy={onCopy} />
    </div>
  )
}
