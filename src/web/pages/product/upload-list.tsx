import { ActionIcon, Button } from '@mantine/core'
import FileX from 'lucide-react/icons/file-x'
import X from 'lucide-react/icons/x'
import { useState } from 'react'
import { toApiError } from '../../api/api-error.ts'
import { errorMessage } from '../../api/error-messages.ts'
import { Ltr } from '../../components/ltr.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { productMessages } from './messages.ts'
import classes from './upload-list.module.css'
import type { Upload } from './use-uploads.ts'

interface UploadListProps {
  uploads: Upload[]
  onStop(key: string): void
  onAgain(key: string): void
}

/** Images on their way: what they look like, how far they are, and why one was refused. */
export function UploadList({ uploads, onStop, onAgain }: UploadListProps) {
  const m = useMessages(productMessages)
  if (uploads.length === 0) return null
  return (
    <ul className={classes.list} aria-label={m.uploadsTitle}>
      {uploads.map((upload) => (
        <UploadRow key={upload.key} upload={upload} onStop={() => onStop(upload.key)} onAgain={() => onAgain(upload.key)} />
      ))}
    </ul>
  )
}

function UploadRow({ upload, onStop, onAgain }: { upload: Upload; onStop(): void; onAgain(): void }) {
  const m = useMessages(productMessages)
  const format = useFormat()
  const { language } = useLanguage()
  const [unseen, setUnseen] = useState(false)
  const { file, state, share } = upload
  const failure = state === 'failed' ? toApiError(upload.error) : null
  const words = failure && errorMessage(failure, language)
  return (
    <li className={classes.row} data-failed={failure ? true : undefined}>
      {unseen ? (
        <span className={classes.preview}>
          <FileX size={18} aria-hidden />
        </span>
      ) : (
        <img src={upload.preview} alt="" className={classes.preview} onError={() => setUnseen(true)} />
      )}
      <div className={classes.facts}>
        <p className={classes.name}>
          <bdi>{file.name}</bdi> <span className={classes.size}>{format.bytes(file.size)}</span>
        </p>
        {words && failure ? (
          <p className={classes.why} role="alert">
            {words.what}. {words.next} <Ltr mono>{failure.code}</Ltr>
          </p>
        ) : (
          <>
            <ProgressBar label={m.uploading({ name: file.name })} share={state === 'storing' ? null : share} />
            <p className={classes.state}>{state === 'waiting' ? m.waiting : state === 'storing' ? m.storing : format.percent(share)}</p>
          </>
        )}
      </div>
      {failure && failure.status !== 413 && failure.status !== 415 && failure.status !== 422 && (
        <Button size="xs" variant="default" onClick={onAgain}>
          {m.again}
        </Button>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        onClick={onStop}
        aria-label={failure ? m.dismissUpload({ name: file.name }) : m.stopUpload({ name: file.name })}
      >
        <X size={16} aria-hidden />
      </ActionIcon>
    </li>
  )
}
