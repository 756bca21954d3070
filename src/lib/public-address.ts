/**
 * Returns where clients reach this process: PUBLIC_URL, otherwise the URL that it listens on, known
 * after `listening`.
 */
export function createPublicAddress({ publicUrl, port }: { publicUrl: string | undefined; port: number }) {
  let url = publicUrl ?? `http://127.0.0.1:${port}`
  return {
    current: (): string => url,
    listening(at: string): void {
      url = publicUrl ?? at
    },
  }
}
