import { useCallback, useEffect, useRef, useState } from 'react'
import type { GalleryImage } from '../../../schemas/images.ts'
import { toApiError } from '../../api/api-error.ts'
import { sendForm } from '../../api/send-form.ts'

export interface Upload {
  key: string
  file: File
  /** An address of the bytes in the browser, for the preview. */
  preview: string
  state: 'waiting' | 'sending' | 'storing' | 'failed'
  /** 0 to 1 */
  share: number
  error: unknown
}

const AT_ONCE = 2

/**
 * Sends images one by one, two at a time, so that each has its own progress and its own reason
 * when it is refused.
 */
export function useUploads(productId: string, onStored: (image: GalleryImage) => void) {
  const [uploads, setUploads] = useState<Upload[]>([])
  const running = useRef(new Map<string, AbortController>())
  const stored = useRef(onStored)
  stored.current = onStored
  const change = useCallback(
    (key: string, facts: Partial<Upload>) =>
      setUploads((all) => all.map((upload) => (upload.key === key ? { ...upload, ...facts } : upload))),
    [],
  )
  const drop = useCallback((key: string) => {
    setUploads((all) => {
      const gone = all.find((upload) => upload.key === key)
      if (gone) URL.revokeObjectURL(gone.preview)
      return all.filter((upload) => upload.key !== key)
    })
  }, [])

  useEffect(() => {
    const send = async ({ key, file }: Upload) => {
      const abort = new AbortController()
      running.current.set(key, abort)
      change(key, { state: 'sending', share: 0, error: null })
      const form = new FormData()
      form.append('file', file, file.name)
      try {
        const { data } = await sendForm<{ data: GalleryImage }>(`/api/products/${productId}/images/upload`, form, {
          signal: abort.signal,
          onProgress: (share) => change(key, { share, state: share < 1 ? 'sending' : 'storing' }),
        })
        stored.current(data)
        drop(key)
      } catch (error) {
        if (!abort.signal.aborted) change(key, { state: 'failed', error: toApiError(error) })
      } finally {
        running.current.delete(key)
      }
    }
    for (const upload of uploads.filter(({ state }) => state === 'waiting')) {
      if (running.current.size >= AT_ONCE) break
      if (!running.current.has(upload.key)) void send(upload)
    }
  }, [uploads, productId, change, drop])

  // Leaving the product stops what is under way.
  useEffect(
    () => () => {
      for (const abort of running.current.values()) abort.abort()
    },
    [],
  )

  return {
    uploads,
    add: useCallback((files: Iterable<File>) => {
      const added = Array.from(
        files,
        (file): Upload => ({
          key: crypto.randomUUID?.() ?? `${file.name}-${Math.random()}`,
          file,
          preview: URL.createObjectURL(file),
          state: 'waiting',
          share: 0,
          error: null,
        }),
      )
      setUploads((all) => [...all, ...added])
    }, []),
    again: (key: string) => change(key, { state: 'waiting', error: null }),
    stop: (key: string) => {
      running.current.get(key)?.abort()
      drop(key)
    },
  }
}
