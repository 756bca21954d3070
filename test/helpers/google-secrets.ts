import { createRequire } from 'node:module'
import type * as grpcTypes from '@grpc/grpc-js'
import type { ClientOptions } from 'google-gax'

// Google's own transport and its own description of the service, as they come with its library.
const fromLibrary = createRequire(createRequire(import.meta.url).resolve('@google-cloud/secret-manager'))
const fromGax = createRequire(fromLibrary.resolve('google-gax'))
const grpc = fromGax('@grpc/grpc-js') as typeof grpcTypes
const { fromJSON } = fromGax('@grpc/proto-loader') as {
  fromJSON(json: object, options: object): Parameters<typeof grpc.loadPackageDefinition>[0]
}
const { OAuth2Client } = fromGax('google-auth-library') as { OAuth2Client: new () => NonNullable<ClientOptions['authClient']> }
const protos = fromLibrary('../protos/protos.json') as object

const NOT_FOUND = 5
const UNAVAILABLE = 14

export interface GoogleSecrets extends AsyncDisposable {
  /** By the whole name, e.g. projects/fake-project/secrets/ZOHO_CLIENT_ID/versions/latest */
  encryption: Map<string, string>
  asked: string[]
  away: boolean
  client: ClientOptions
}

/** A Secret Manager that listens on loopback and speaks Google's protocol. */
export async function startGoogleSecrets(): Promise<GoogleSecrets> {
  const description = grpc.loadPackageDefinition(fromJSON(protos, { keepCase: true, longs: String, enums: String }))
  // biome-ignore lint/suspicious/noExplicitAny: a tree of packages that the description makes at run time
  const { service } = (description as any).google.cloud.secretmanager.v1.SecretManagerService
  const server = new grpc.Server()
  const state = { encryption: new Map<string, string>(), asked: [] as string[], away: false }
  server.addService(service, {
    AccessSecretVersion(call: { request: { name: string } }, reply: (error: object | null, response?: object) => void) {
      const { name } = call.request
      state.asked.push(name)
      if (state.away) return reply({ code: UNAVAILABLE, details: 'away' })
      const value = state.encryption.get(name)
      if (value === undefined) return reply({ code: NOT_FOUND, details: 'there is no such secret' })
      reply(null, { name, payload: { data: Buffer.from(value) } })
    },
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  )
  return Object.assign(state, {
    // An account of its own, so that nothing looks for one on the network.
    client: {
      apiEndpoint: '127.0.0.1',
      port,
      sslCreds: grpc.credentials.createInsecure(),
      authClient: new OAuth2Client(),
    } as ClientOptions,
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  })
}
