import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { type Database, openDatabase } from '../../src/database/client.ts'
import type { Prisma } from '../../src/generated/client.ts'
import { ENCRYPTED_SETTINGS } from '../../src/settings/encrypted-columns.ts'
import { createEncryption, type Encryption } from '../../src/settings/encryption.ts'
import { reencryptAll } from '../../src/settings/reencrypt.ts'
import { createSettingStore } from '../../src/settings/setting-store.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { times } from '../helpers/long.ts'

const key = () => randomBytes(32)
const reencrypt = (db: Database, encryption: Encryption) => reencryptAll(db, encryption, [ENCRYPTED_SETTINGS], new AbortController().signal)

test('what is sealed opens again at its place, with its key, and nowhere else', () => {
  const [mine, other] = [key(), key()]
  const encryption = createEncryption(() => [mine])
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const record = encryption.encrypt(text, 'setting.value.a')
      expect(encryption.decrypt(record, 'setting.value.a')).toBe(text)
      expect(() => encryption.decrypt(record, 'setting.value.b')).toThrow()
      expect(() => createEncryption(() => [other]).decrypt(record, 'setting.value.a')).toThrow()
      expect(record).not.toBe(encryption.encrypt(text, 'setting.value.a')) // a nonce of its own each time
    }),
    { numRuns: times(50, 1_000) },
  )
})

test('a record with any one byte changed does not open', () => {
  const encryption = createEncryption(() => [key()])
  const record = encryption.encrypt('fake-secret-for-tests', 'place')
  for (let at = 0; at < record.length; at++) {
    for (const other of ['A', 'B', ':', '0', '~']) {
      const changed = record.slice(0, at) + other + record.slice(at + 1)
      // The last character of base64 has bits that mean nothing: such a change is no change of the
      // bytes.
      const same = (text: string) =>
        text
          .split(':')
          .map((part, n) => (n < 2 ? part : Buffer.from(part, 'base64url').toString('hex')))
          .join(':')
      if (same(changed) === same(record)) continue
      expect(() => encryption.decrypt(changed, 'place'), `byte ${at} as ${other}`).toThrow()
    }
  }
})

async function openStore(ring: Buffer[]) {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  onTestFinished(async () => {
    await db.$disconnect()
    await database.drop()
  })
  return { db, url: database.url, stored: createSettingStore({ db, encryption: createEncryption(() => ring) }) }
}

test('swapped ciphertexts are recognized, and one without its key never counts as empty', async () => {
  const ring = [key()]
  const { db, stored } = await openStore(ring)
  const options = { encrypted: true, by: 'test', at: new Date() }
  await stored.write(db, 'zoho.client_secret', 'fake-one', options)
  await stored.write(db, 'zoho.refresh_token', 'fake-two', options)
  const [a, b] = await db.setting.findMany({ orderBy: { name: 'asc' } })
  await db.setting.update({ where: { name: a!.name }, data: { value: b!.value } })
  await db.setting.update({ where: { name: b!.name }, data: { value: a!.value } })
  const swapped = await stored.read('zoho.')
  expect([...swapped.values()].map((it) => it.value)).toEqual([null, null])
  const other = createSettingStore({ db, encryption: createEncryption(() => [key()]) })
  expect([...(await other.read('zoho.')).keys()].sort()).toEqual(['client_secret', 'refresh_token'])
})

test('a killed rotation is finished by the next one, and values stay readable throughout', async () => {
  const [old, fresh] = [key(), key()]
  const { db, stored } = await openStore([old])
  const names = Array.from({ length: 250 }, (_, n) => `zoho.fake_${n}`)
  for (const name of names) await stored.write(db, name, `fake value of ${name}`, { encrypted: true, by: 'test', at: new Date() })
  const rotating = createEncryption(() => [fresh, old])
  const reader = createSettingStore({ db, encryption: rotating })

  // The first rotation breaks off after 40 rows, as a killed process does: each row is a write of
  // its own.
  let left = 40
  const dying = {
    ...rotating,
    encrypt(...args: Parameters<typeof rotating.encrypt>) {
      if (left-- === 0) throw new Error('killed')
      return rotating.encrypt(...args)
    },
  }
  const broken = new Proxy(db, {
    get: (target, property) => {
      if (left < 0) throw new Error('killed')
      return Reflect.get(target, property)
    },
  })
  await expect(reencrypt(broken, dying)).rejects.toThrow('killed')
  expect(await db.setting.count({ where: { value: { startsWith: rotating.prefixes().newest } } })).toBe(40)
  const between = await reader.read('zoho.')
  for (const name of names) expect(between.get(name.slice(5))?.value).toBe(`fake value of ${name}`)

  expect(await reencrypt(db, rotating)).toEqual({ reencrypted: 210, unreadable: [] })
  expect(await reencrypt(db, rotating)).toEqual({ reencrypted: 0, unreadable: [] })
  // The old key may go.
  const after = await createSettingStore({ db, encryption: createEncryption(() => [fresh]) }).read('zoho.')
  for (const name of names) expect(after.get(name.slice(5))?.value).toBe(`fake value of ${name}`)
})

test('a value that somebody changes while keys rotate is not overwritten with the one before', async () => {
  const [old, fresh] = [key(), key()]
  const { db, stored } = await openStore([old])
  await stored.write(db, 'zoho.client_secret', 'fake-before', { encrypted: true, by: 'test', at: new Date() })
  const rotating = createEncryption(() => [fresh, old])
  const writer = createSettingStore({ db, encryption: rotating })
  const racing = new Proxy(db, {
    get(target, property) {
      if (property !== '$queryRaw') return Reflect.get(target, property)
      return async (query: Prisma.Sql) => {
        const rows = await db.$queryRaw(query)
        await writer.write(db, 'zoho.client_secret', 'fake-after', { encrypted: true, by: 'person', at: new Date() })
        return rows
      }
    },
  })
  expect(await reencrypt(racing as typeof db, rotating)).toEqual({ reencrypted: 0, unreadable: [] })
  expect((await writer.read('zoho.')).get('client_secret')?.value).toBe('fake-after')
})
