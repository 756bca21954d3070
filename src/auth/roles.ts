import type { z } from 'zod'
import { PersonRole } from '../schemas/auth.ts'

export const Role = PersonRole
export type Role = z.infer<typeof Role>
