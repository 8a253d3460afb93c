# docker build -t keepalive . && docker run -p 3000:3000 -v keepalive:/data -e TARGET_API_URL=https://… \
#   --read-only --cap-drop ALL --security-opt no-new-privileges keepalive
# It writes to /data alone, so the rest of the container may be read-only.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without its own scripts: the sources are not there yet.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production KEEP_ALIVE_DATABASE=/data/keepalive.db
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/public public
RUN mkdir -m 700 /data && chown node /data
USER node
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
# 503: no run came for three ticks, or nothing can be recorded. Any other answer shows that it is alive, 401 (with
# STATS_TOKEN) among them.
HEALTHCHECK --interval=1m --timeout=10s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/api/health`, { headers: process.env.STATS_TOKEN ? { authorization: `Bearer ${process.env.STATS_TOKEN.trim()}` } : {} }).then(({ status }) => process.exit(status === 503 ? 1 : 0), () => process.exit(1))"]
CMD ["node", "dist/bin/keepalive.js", "start"]
