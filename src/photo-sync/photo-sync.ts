import { createDedicatedConnection } from '../database/client.ts'
import type { ImageUrls } from '../images/serving/signed-url.ts'
import type { Clock } from '../lib/clock.ts'
import { openFeed } from './change-feed.ts'
import { createEdgeTokens } from './edge-tokens.ts'
import { createPhotoList } from './list.ts'
import { createPhotoDownloads, type PhotoDownloadsDeps } from './photo-downloads.ts'
import { createServedCounter } from './served-counter.ts'
import { createSharingKeys } from './sharing-keys.ts'
import { createStores } from './stores.ts'

export interface PhotoSyncDeps extends PhotoDownloadsDeps {
  databaseUrl: string
  clock: Clock
  /** For the tokens of edge servers, newest first. */
  keys: Buffer[]
  imageUrls: ImageUrls
  /** Base URL of zinc for clients. */
  publicUrl(): string
}

/**
 * Opens stores, their tokens, and the list and files that edge servers download. Disposing closes
 * the feed's connection and
 * writes the last counts.
 */
export async function openPhotoSync({ db, databaseUrl, clock, keys, imageUrls, publicUrl, ...images }: PhotoSyncDeps) {
  const reader = createDedicatedConnection(databaseUrl)
  const edgeTokens = createEdgeTokens({ db, keys, clock })
  const photoFiles = createPhotoDownloads({ db, ...images })
  const served = createServedCounter(db)
  return {
    edgeTokens,
    sharingKeys: createSharingKeys(keys),
    served,
    stores: createStores({ db, clock, forgetTokens: edgeTokens.invalidate }),
    feed: await openFeed({ db, reader }),
    photoFiles,
    photoList: createPhotoList({ db, clock, imageUrl: imageUrls.build, publicUrl, files: photoFiles }),
    async [Symbol.asyncDispose]() {
      await served.flush()
      await reader[Symbol.asyncDispose]()
    },
  }
}
