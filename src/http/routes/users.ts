import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { Role } from '../../auth/roles.ts'
import type { UserRow, Users } from '../../auth/users.ts'
import { UserBody, UserDeletedResponse, UserPatch, UserResponse, type User as UserShown, UsersResponse } from '../../schemas/auth.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'

const tags = ['access']
const Params = z.object({ id: z.uuid() })

export const userRoutes: FastifyPluginAsyncZod<{ users: Users }> = async (app, { users }) => {
  const one = (user: UserRow) => ({ status: 'success' as const, data: shown(user) })
  const onRequest = requireRole('admin')

  app.get(
    '',
    { onRequest, schema: { tags, operationId: 'listUsers', summary: 'List users, oldest first', response: { 200: UsersResponse } } },
    async () => ({
      status: 'success' as const,
      data: (await users.list()).map(shown),
      next_cursor: null,
    }),
  )
  app.post(
    '',
    { onRequest, schema: { tags, operationId: 'createUser', summary: 'Create a user', body: UserBody, response: { 201: UserResponse } } },
    async (request, reply) => reply.code(201).send(one(await users.create(request.body, actorOf(request)))),
  )
  app.patch(
    '/:id',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'changeUser',
        summary: 'Update a user’s name, password or role; a new password or role logs the user out',
        params: Params,
        body: UserPatch,
        response: { 200: UserResponse },
      },
    },
    async (request) =>
      one(await users.patch(request.params.id, request.body, actorOf(request), { keep: requireIdentity(request).session_id })),
  )
  app.delete(
    '/:id',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'deleteUser',
        summary: 'Delete a user and log them out everywhere',
        params: Params,
        response: { 200: UserDeletedResponse },
      },
    },
    async (request) => one(await users.remove(request.params.id, actorOf(request))),
  )
}

const shown = ({ id, username, role, created_at, last_login_at, second_factor }: UserRow): UserShown => ({
  id,
  username,
  role: Role.parse(role),
  created_at: created_at.toISOString(),
  last_login_at: last_login_at?.toISOString() ?? null,
  second_factor: second_factor?.confirmed_at != null,
})
