# The image of zinc: a server for DATABASE_URL, without build tools and without the embedded PostgreSQL.
FROM node:24-bookworm-slim AS build
WORKDIR /opt/zinc
COPY package.json package-lock.json .npmrc ./
COPY bin ./bin
COPY scripts ./scripts
COPY prisma ./prisma
COPY prisma.config.ts tsconfig.json tsconfig.build.json ./
COPY src ./src
# The API client is made of it.
COPY docs/openapi.json ./docs/
RUN npm ci && npm run slim

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
WORKDIR /opt/zinc
COPY --from=build /opt/zinc/package.json ./
COPY --from=build /opt/zinc/bin ./bin
COPY --from=build /opt/zinc/dist ./dist
COPY --from=build /opt/zinc/prisma ./prisma
COPY --from=build /opt/zinc/node_modules ./node_modules
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 8000
# Node is process 1 and gets SIGTERM itself: zinc pauses its runs and ends within ten seconds.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.PORT||8000)+'/health/ready').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
CMD ["node", "--max-semi-space-size=8", "--max-old-space-size=1024", "bin/server.js"]
