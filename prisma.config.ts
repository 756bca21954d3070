import { defineConfig } from 'prisma/config'

// The URL is only for people who use Prisma's own command line; zinc migrates in-process (src/database/migrate.ts).
export default defineConfig({
  schema: 'prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://localhost/zinc' },
})
