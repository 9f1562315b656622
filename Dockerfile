# One node in a container that the engine supervises: the app, or a replica with PORT and the command
# `node dist/bundle/replica.mjs`. `docker-compose.yml` runs an app and four replicas, each with a volume and a port.
FROM node:24.22.3-bookworm-slim AS build
WORKDIR /bifolio
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json nest-cli.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24.22.3-bookworm-slim
# REPLICA_PORTS is empty: an app in a container has its replicas elsewhere, in REPLICA_NODES, or none.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=5050 DATA_DIR=/data REPLICAS_DIR=/data/replicas REPLICA_PORTS=
WORKDIR /bifolio
COPY --from=build /bifolio/package.json ./
COPY --from=build /bifolio/node_modules ./node_modules
COPY --from=build /bifolio/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 5050
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/bundle/api.mjs"]
