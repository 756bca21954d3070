/** The login of the first admin; `password` is null where ADMIN_PASSWORD sets it. */
export interface FirstLogin {
  username: string
  password: string | null
}

/** For commands and scripts: on stderr, since stdout carries their result. */
export function printFirstLogin({ username, password }: FirstLogin): void {
  if (password !== null) console.error(`First login: ${username} / ${password}  (shown this once)`)
}
