import { expect, test } from 'vitest'
import { createEtaEstimator } from '../../src/runs/eta.ts'

test('rate and time left are those of the last half minute, and a new phase begins its own', () => {
  const eta = createEtaEstimator()
  const at = (seconds: number, phase: string, done: number, total?: number) => eta({ phase, done, total }, seconds * 1000)
  expect(at(0, 'images', 0, 1000)).toMatchObject({ rate: 0, eta_ms: null })
  expect(at(10, 'images', 100, 1000)).toMatchObject({ rate: 10, eta_ms: 90_000 })
  // It stood still for long: the whole run's mean would be far off.
  expect(at(100, 'images', 100, 1000).rate).toBe(0)
  for (let second = 101; second <= 140; second++) at(second, 'images', 100 + (second - 100) * 20, 1000)
  expect(at(140, 'images', 900, 1000)).toMatchObject({ rate: 20, eta_ms: 5_000 })
  expect(at(141, 'files', 0, 10)).toMatchObject({ rate: 0, eta_ms: null })
  expect(at(143, 'files', 4, 10)).toMatchObject({ rate: 2, eta_ms: 3_000 })
  // Listed anew from the first page, and nobody knows how many there are.
  expect(at(144, 'files', 1)).toMatchObject({ rate: 0, eta_ms: null })
  expect(at(146, 'files', 5)).toMatchObject({ rate: 2, eta_ms: null })
})
