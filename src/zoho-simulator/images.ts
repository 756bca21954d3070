import type { FastifyReply } from 'fastify'
import type { ApiRoutes, SimulatorState } from './api.ts'
import type { SimulatedItem } from './seed.ts'

const config = { scope: 'ZohoInventory.items.READ', image: true }

/** Zoho's response where there is no image; it is documented in four ways. */
function nothing({ toggles }: SimulatorState, reply: FastifyReply) {
  const body = { code: 1002, message: 'Image does not exist.' }
  if (toggles.noImage === '404') return reply.code(404).send(body)
  if (toggles.noImage === '204') return reply.code(204).send()
  if (toggles.noImage === '200_json') return reply.send({ code: 0, message: 'success' })
  return reply.type('application/octet-stream').send('')
}

async function send(state: SimulatorState, reply: FastifyReply, image: { name: string; seed: number; item: SimulatedItem }) {
  const bytes = await state.imageBytes({ ...image.item, image_seed: image.seed })
  reply.header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(image.name)}`)
  const type = { right: 'image/jpeg', octet_stream: 'application/octet-stream', wrong: 'text/html;charset=UTF-8', missing: null }[
    state.toggles.imageType
  ]
  if (type !== null) return reply.type(type).send(bytes)
  reply.hijack()
  reply.raw.writeHead(200, { 'content-length': String(bytes.length) })
  reply.raw.end(bytes)
  return reply
}

/** Images: the main one by its item, any by its document id; equal bytes either way. */
export const imageRoutes: ApiRoutes = (api, state) => {
  const { store, counters } = state
  /** Uploaded images, by document. */
  const sent = new Map<string, Buffer>()
  function main(item: SimulatedItem | undefined, reply: FastifyReply) {
    counters.images++
    if (!item || item.image_document_id === '') return nothing(state, reply)
    counters.perImage.set(item.item_id, (counters.perImage.get(item.item_id) ?? 0) + 1)
    const own = sent.get(item.image_document_id)
    if (own) return reply.type('application/octet-stream').send(own)
    return send(state, reply, { name: item.image_name, seed: item.image_seed, item })
  }
  api.get<{ Params: { id: string } }>('/inventory/v1/items/:id/image', { config }, async ({ params }, reply) =>
    main(store.find(params.id), reply),
  )
  // A new image creates a new document, touches the item, and is returned from then on.
  api.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  api.post<{ Params: { id: string } }>(
    '/inventory/v1/items/:id/image',
    { config: { scope: 'ZohoInventory.items.UPDATE' } },
    async (request, reply) => {
      const item = store.find(request.params.id)
      if (!item) return reply.code(404).send({ code: 1002, message: 'Item does not exist.' })
      const file = imageOf(request.body as Buffer, request.headers['content-type'] ?? '')
      if (!file) return reply.code(400).send({ code: 2, message: 'Invalid value passed for image' })
      counters.images++
      const document_id = `4600000000${String(91_000_000 + counters.images).padStart(8, '0')}`
      sent.set(document_id, file.bytes)
      store.edit(item.item_id, { image_document_id: document_id, image_name: file.name })
      return { code: 0, message: 'Your item image is added.' }
    },
  )
  api.get<{ Params: { id: string } }>('/inventory/v1/documents/:id', { config }, async ({ params }, reply) => {
    const ofGroup = state.groups.findDocument(params.id)
    if (ofGroup) {
      counters.images++
      const bytes = await state.imageBytes({ image_seed: ofGroup.seed, category: 'Cables' })
      return reply.header('content-disposition', `attachment; filename=${ofGroup.name}`).type('image/jpeg').send(bytes)
    }
    const item = store.findDocument(params.id)
    const further = item?.gallery?.find((it) => it.document_id === params.id)
    if (!item || !further || params.id === item.image_document_id) return main(item, reply)
    counters.images++
    return send(state, reply, { name: further.file_name, seed: further.image_seed, item })
  })
}

/**
 * The part `image` of a form, parsed without a library: one file is all that this endpoint accepts.
 */
function imageOf(body: Buffer, contentType: string): { name: string; bytes: Buffer } | null {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1]
  const headEnd = body.indexOf('\r\n\r\n')
  const end = body.lastIndexOf(`\r\n--${boundary}--`)
  if (!boundary || headEnd < 0 || end < headEnd) return null
  const head = body.toString('utf8', 0, headEnd)
  if (!/name="image"/.test(head)) return null
  return { name: /filename="([^"]*)"/.exec(head)?.[1] ?? 'image', bytes: body.subarray(headEnd + 4, end) }
}
