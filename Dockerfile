# gleaner's image. It holds what `npm start` runs and nothing else, runs as a numeric user and needs no writable root.
#
#   docker build -t gleaner .
#   docker run --rm gleaner check
#   docker run --rm -p 127.0.0.1:9470:9470 -e GLEANER_TOKEN -v gleaner:/var/lib/gleaner gleaner
#
# The same version as .node-version.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node itself, so the packages that carry one (all the optional ones do) stay out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
COPY bin bin
COPY src src
COPY LICENSE ./
# TypeScript is stripped and compiled once, here. The cache belongs to a user id and a path: both are the final ones.
ENV NODE_COMPILE_CACHE=/app/.compile-cache GLEANER_DATA_DIR=/tmp/warm-up
RUN install -d -o 10001 -g 10001 "$NODE_COMPILE_CACHE" /var/lib/gleaner
USER 10001:10001
# Starting it fills the cache, and an image that does not start is not built.
RUN node bin/gleaner.js serve & pid=$!; \
    until node bin/healthcheck.js; do kill -0 "$pid" || exit 1; sleep 0.2; done; \
    kill "$pid" && wait "$pid"

FROM node:${NODE_VERSION}-bookworm-slim
LABEL org.opencontainers.image.title="gleaner" \
      org.opencontainers.image.description="Collects from hosts and field kits, keeps every row, and serves Prometheus." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /var/lib/gleaner /var/lib/gleaner
# Beyond loopback gleaner serves only with a token, out of GLEANER_TOKEN, GLEANER_TOKEN_FILE or gleaner.yaml.
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/.compile-cache \
    GLEANER_LISTEN=0.0.0.0:9470 \
    GLEANER_DATA_DIR=/var/lib/gleaner
# gleaner.yaml and kits.yaml are read from here; both are optional.
WORKDIR /etc/gleaner
VOLUME /var/lib/gleaner
EXPOSE 9470
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["node", "/app/bin/healthcheck.js"]
ENTRYPOINT ["node", "/app/bin/gleaner.js"]
CMD ["serve"]
