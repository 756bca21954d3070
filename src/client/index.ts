import {
  createClient as createGenerated,
  type Client as GeneratedClient,
  OPERATIONS,
  type OperationContext,
  type OperationId,
  type OperationPath,
  type OperationTag,
  type Ops,
} from '../generated/api-client/client.ts'
import { toZincError } from './errors.ts'
import { followProducts, type ProductChange, type ProductChangesOptions } from './product-changes.ts'

export type { ListProductChangesResult, ListProductsResult, Ops } from '../generated/api-client/client.ts'
export { CursorExpiredError, EpochChangedError, ZincError } from './errors.ts'
export type { ProductChange, ProductChangesOptions } from './product-changes.ts'

export interface ClientOptions {
  /** The server's URL, for example `https://zinc.example`. */
  baseUrl: string
  /** An API key (`zk_…`) or the access token of a login; a function is called for each request. */
  token: string | (() => string | Promise<string>)
  /** Another `fetch`, for example one with a proxy. */
  fetch?: typeof fetch
  /** Milliseconds until a request is given up; 60,000 by default. Long polls have their own. */
  timeoutMs?: number
}

/**
 * A method for each operation of the OpenAPI document, under its `operationId`:
 * `client.getProduct({ path: { id: 'sku:A-1' } })`. They throw ZincError.
 */
export type Client = GeneratedClient<Ops, OperationContext<OperationId, OperationPath, OperationTag>> & {
  /**
   * Every product that is new after the cursor, and then what changes, for ever. It waits for
   * changes, and retries when the server cannot be reached. Keep `change.cursor` with your data.
   * Throws CursorExpiredError, EpochChangedError, ZincError.
   */
  productChanges(options?: ProductChangesOptions): AsyncGenerator<ProductChange, void, undefined>
}

/** Opens no connection; needs only `fetch`. */
export function createClient({ baseUrl, token, fetch, timeoutMs = 60_000 }: ClientOptions): Client {
  const client = createGenerated<Ops, OperationId, OperationPath, OperationTag>(OPERATIONS, {
    serverUrl: baseUrl.replace(/\/+$/, ''),
    auth: { bearer: token },
    timeout: timeoutMs,
    clientHeader: false,
    onError: toZincError,
    ...(fetch && { fetch }),
  })
  return Object.assign(client, {
    productChanges: (options: ProductChangesOptions = {}) => followProducts(client.listProductChanges, options),
  })
}
