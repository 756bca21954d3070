import { createServer } from 'node:net'

export interface MailServer extends AsyncDisposable {
  url: string
  mails: { from: string; to: string[]; text: string }[]
  /** What the clients said, line by line. */
  lines: string[]
  /** Refuses the sender's password, or every receiver. */
  refuses: 'password' | 'receiver' | null
}

/** A mail server that listens on loopback (or `host`) and speaks as much SMTP as a client needs. */
export async function startMailServer({ host = '127.0.0.1' } = {}): Promise<MailServer> {
  const state = { lines: [] as string[], mails: [] as MailServer['mails'], refuses: null as MailServer['refuses'] }
  const server = createServer((socket) => {
    let mail = { from: '', to: [] as string[], text: '' }
    let data: string[] | null = null
    const say = (line: string) => void socket.write(`${line}\r\n`)
    let rest = ''
    socket.on('error', () => {}) // a client that hangs up
    say('220 mail.test ESMTP')
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n')
      rest = lines.pop() ?? ''
      state.lines.push(...lines)
      for (const line of lines) {
        if (data) {
          if (line !== '.') data.push(line)
          else {
            state.mails.push({ ...mail, text: data.join('\n') })
            data = null
            say('250 taken')
          }
        } else if (/^EHLO/i.test(line)) socket.write('250-mail.test\r\n250 AUTH PLAIN\r\n')
        else if (/^AUTH/i.test(line)) say(state.refuses === 'password' ? '535 the password fake-smtp-password is wrong' : '235 welcome')
        else if (/^MAIL FROM/i.test(line)) {
          mail = { from: line.slice(10), to: [], text: '' }
          say('250 ok')
        } else if (/^RCPT TO/i.test(line)) {
          mail.to.push(line.slice(8))
          say(state.refuses === 'receiver' ? '550 nobody here' : '250 ok')
        } else if (/^DATA/i.test(line)) {
          data = []
          say('354 go on')
        } else if (/^STARTTLS/i.test(line)) say('502 no TLS here')
        else if (/^QUIT/i.test(line)) {
          say('221 bye')
          socket.end()
        } else say('250 ok')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as { port: number }
  return Object.assign(state, {
    url: `smtp://zinc:fake-smtp-password@127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  })
}
