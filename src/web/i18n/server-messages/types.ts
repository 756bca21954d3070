/** What a code of the server means to a person; `next` is left out where there is nothing to do. */
export interface ServerMessage {
  what: string
  next?: string
}
