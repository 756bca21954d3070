import { expect, test } from 'vitest'
import { startZinc } from '../helpers/zinc.ts'

test('old login addresses say where to log in, whatever a script sends', async () => {
  const { url } = await startZinc()
  for (const path of ['/api/token/', '/api/v1/token/', '/api/v1/auth/token/', '/api/auth/login']) {
    for (const init of [
      { method: 'POST', body: new URLSearchParams({ username: 'a', password: 'b' }) },
      { method: 'POST', body: '{' },
      {},
    ]) {
      const response = await fetch(`${url}${path}`, init)
      expect([path, response.status]).toEqual([path, 410])
      expect(await response.json()).toMatchObject({
        code: 'login_moved',
        detail: { remedy: expect.stringContaining('/api/v1/auth/login') },
      })
    }
  }
})
