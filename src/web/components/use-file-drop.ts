import { type DragEvent, useRef, useState } from 'react'

const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files')

/**
 * Lets files be dropped on an element: spread `handlers` on it; `over` while they hover. Choosing
 * files by a button is the other way in.
 */
export function useFileDrop(take: (files: File[]) => void, enabled = true) {
  const [over, setOver] = useState(false)
  // Every child that is entered and left counts.
  const depth = useRef(0)
  const end = () => {
    depth.current = 0
    setOver(false)
  }
  if (!enabled) return { over: false, handlers: {} }
  return {
    over,
    handlers: {
      onDragEnter(event: DragEvent) {
        if (!hasFiles(event)) return
        event.preventDefault()
        depth.current++
        setOver(true)
      },
      onDragOver(event: DragEvent) {
        if (!hasFiles(event)) return
        event.preventDefault()
        event.dataTransfer.dropEffect = 'copy'
      },
      onDragLeave(event: DragEvent) {
        if (hasFiles(event) && --depth.current <= 0) end()
      },
      onDrop(event: DragEvent) {
        if (!hasFiles(event)) return
        event.preventDefault()
        end()
        take([...event.dataTransfer.files])
      },
    },
  }
}
