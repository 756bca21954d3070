import type { z } from 'zod'
import { PersonRole } from '../contract/access.ts'

export const Role = PersonRole
export type Role = z.infer<typeof Role>
