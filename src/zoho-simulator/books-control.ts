import type { FastifyInstance } from 'fastify'
import { type BooksModuleName, NAMES } from './books-modules.ts'
import type { Books } from './books-store.ts'

/** Control over HTTP, with JSON bodies. */
export function booksControl(app: FastifyInstance, books: Books): void {
  type Named = { module: BooksModuleName }
  app.get('/_control/books', async () => ({
    ...books.counters,
    counts: Object.fromEntries(NAMES.map((name) => [name, books.store(name).entries.length])),
  }))
  app.post<{ Params: Named }>('/_control/books/:module', async ({ params }) => ({ id: books.add(params.module) }))
  app.post<{ Params: Named & { id: string }; Body: Record<string, unknown> }>('/_control/books/:module/:id', async ({ params, body }) => {
    books.edit(params.module, params.id, body)
    return { id: params.id }
  })
  app.delete<{ Params: Named & { id: string } }>('/_control/books/:module/:id', async ({ params }) => {
    books.remove(params.module, params.id)
    return { count: books.store(params.module).entries.length }
  })
}
