import FileImage from 'lucide-react/icons/file-image'
import { useEffect, useState } from 'react'
import classes from './import-preview.module.css'
import { readZipImage, type ZipDirectory } from './zip-images.ts'

/** One after the other: many large images at once would fill the memory. */
let queue: Promise<unknown> = Promise.resolve()

/** What a file of the ZIP looks like, read in the browser. */
export function ZipThumbnail({ file, directory, name }: { file: Blob; directory: ZipDirectory | undefined; name: string }) {
  const [url, setUrl] = useState<string | null>(null)
  const entry = directory?.get(name)
  useEffect(() => {
    if (!entry) return
    let made: string | null = null
    let isGone = false
    queue = queue.then(async () => {
      const image = isGone ? null : await readZipImage(file, entry).catch(() => null)
      if (!image || isGone) return
      made = URL.createObjectURL(image)
      setUrl(made)
    })
    return () => {
      isGone = true
      if (made !== null) URL.revokeObjectURL(made)
    }
  }, [file, entry])
  return (
    <span className={classes.thumb}>
      {url === null ? (
        <FileImage size={16} aria-hidden />
      ) : (
        <img src={url} alt="" loading="lazy" decoding="async" onError={() => setUrl(null)} />
      )}
    </span>
  )
}
