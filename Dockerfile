# docker build -t keepalive . && docker run -p 3000:3000 -v keepalive:/data -e TARGET_API_URL=https://… keepalive
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production KEEP_ALIVE_DATABASE=/data/keepalive.db
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/public public
RUN mkdir /data && chown node /data
USER node
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
CMD ["node", "dist/bin/keepalive.js", "start"]
