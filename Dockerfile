# The image of Sallyport: production dependencies, the source as it is (Node runs TypeScript itself), and a warm compile cache.
#
#   docker build -t sallyport:dev .
#   docker build -t sallyport:dev --build-arg NODE_IMAGE=registry.example/node:26-slim .
#
# NODE_IMAGE needs node 26.13 or newer (the first release of its long-term line, with the security fixes of October 2026) and npm.
# RUNTIME_IMAGE is what the result stands on: anything with the same `node` on its PATH; no shell, npm or package manager is used.
ARG NODE_IMAGE=node:26-slim
ARG RUNTIME_IMAGE=${NODE_IMAGE}

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Nothing reads declarations and source maps at run time; in the Kubernetes client they are half of the bytes.
RUN npm ci --omit=dev --ignore-scripts --loglevel=error \
 && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.md' \) -delete

FROM ${NODE_IMAGE} AS application
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY src src
# The cache is kept by user: it has to be written by the one that reads it later, from a file system that is read-only by then.
RUN install -d -o 65532 -g 65532 /app/.cache
USER 65532:65532
RUN NODE_COMPILE_CACHE=/app/.cache/node node --min-semi-space-size=16 --max-semi-space-size=16 \
      --eval "await import('/app/src/cli/program.ts'); await import('/app/src/app/start.ts')" --input-type=module

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Sallyport" \
      org.opencontainers.image.description="A Kubernetes ingress controller" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
WORKDIR /app
COPY --from=application /app /app
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/.cache/node \
    PATH=/app/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 65532:65532
EXPOSE 8080 8443 10254
STOPSIGNAL SIGTERM
# The flags are those of bin/sallyport, which needs a shell and this does not.
ENTRYPOINT ["node", "--min-semi-space-size=16", "--max-semi-space-size=16", "/app/src/main.ts"]
CMD ["run"]
