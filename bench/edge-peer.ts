import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import pg from 'pg'

/**
 * The floor beside which the photo sync is measured: bare routes without tokens, checks or headers.
 * Arguments: database, a file, a constant's size.
 */
const [databaseUrl = '', file = '', constantBytes = '0'] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: databaseUrl, max: 12 })
const bytes = readFileSync(file)
const constant = JSON.stringify({
  data: createHash('sha256')
    .update('x')
    .digest('hex')
    .repeat(Math.ceil(Number(constantBytes) / 64)),
})

const app = Fastify()
app.get<{ Querystring: { offset: string } }>('/list', async ({ query }) => {
  const { rows } = await pool.query(
    `select f.* from (select id from photo where position > $1 and feed_live order by position limit 100) p join feed_photo f on f.id = p.id order by f.position`,
    [query.offset],
  )
  return { data: rows }
})
app.get('/constant', async (_request, reply) => reply.type('application/json').send(constant))
app.get('/memory', async (_request, reply) => reply.type('image/jpeg').send(bytes))
console.log(await app.listen({ port: 0, host: '127.0.0.1' }))
