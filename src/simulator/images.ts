import type { FastifyReply } from 'fastify'
import type { ApiRoutes, World } from './api.ts'
import type { SimulatedItem } from './catalogue.ts'

const config = { scope: 'ZohoInventory.items.READ', image: true }

/** What Zoho answers where there is no picture; it is told in four ways. */
function nothing({ switches }: World, reply: FastifyReply) {
  const body = { code: 1002, message: 'Image does not exist.' }
  if (switches.noImage === '404') return reply.code(404).send(body)
  if (switches.noImage === '204') return reply.code(204).send()
  if (switches.noImage === '200_json') return reply.send({ code: 0, message: 'success' })
  return reply.type('application/octet-stream').send('')
}

async function send(world: World, reply: FastifyReply, picture: { name: string; seed: number; item: SimulatedItem }) {
  const bytes = await world.pictureBytes({ ...picture.item, image_seed: picture.seed })
  reply.header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(picture.name)}`)
  const type = { right: 'image/jpeg', octet_stream: 'application/octet-stream', wrong: 'text/html;charset=UTF-8', missing: null }[
    world.switches.imageType
  ]
  if (type !== null) return reply.type(type).send(bytes)
  reply.hijack()
  reply.raw.writeHead(200, { 'content-length': String(bytes.length) })
  reply.raw.end(bytes)
  return reply
}

/** Pictures: the main one by its item, any by its document id; equal bytes either way. */
export const imageRoutes: ApiRoutes = (api, world) => {
  const { shelf, counters } = world
  function main(item: SimulatedItem | undefined, reply: FastifyReply) {
    counters.images++
    if (!item || item.image_document_id === '') return nothing(world, reply)
    counters.perImage.set(item.item_id, (counters.perImage.get(item.item_id) ?? 0) + 1)
    return send(world, reply, { name: item.image_name, seed: item.image_seed, item })
  }
  api.get<{ Params: { id: string } }>('/inventory/v1/items/:id/image', { config }, async ({ params }, reply) =>
    main(shelf.find(params.id), reply),
  )
  api.get<{ Params: { id: string } }>('/inventory/v1/documents/:id', { config }, async ({ params }, reply) => {
    const item = shelf.findDocument(params.id)
    const further = item?.gallery?.find((it) => it.document_id === params.id)
    if (!item || !further || params.id === item.image_document_id) return main(item, reply)
    counters.images++
    return send(world, reply, { name: further.file_name, seed: further.image_seed, item })
  })
}
