/** The login of the first admin; `password` is null where ADMIN_PASSWORD sets it. */
export interface FirstLogin {
  username: string
  password: string | null
}

/** Prints it on stderr for commands and scripts, since stdout has their result. */
export function printFirstLogin({ username, password }: FirstLogin): void {
  if (password !== null) console.error(`First login: ${username} / ${password}  (shown this once)`)
}
