FROM node:24-bookworm AS build
WORKDIR /tollgate
# What is installed changes less often than the sources. SQLite is compiled where none comes prebuilt.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts && npm rebuild better-sqlite3
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY bin bin
COPY src src
# Of better-sqlite3, what it was compiled from is three quarters of all.
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts \
 && cd node_modules/better-sqlite3 \
 && cp build/Release/better_sqlite3.node . \
 && rm -rf build deps src \
 && install -D better_sqlite3.node build/Release/better_sqlite3.node \
 && rm better_sqlite3.node

FROM node:24-bookworm-slim
ENV NODE_ENV=production TOLLGATE_DATA=/data
WORKDIR /tollgate
COPY --from=build /tollgate/package.json ./
COPY --from=build /tollgate/bin bin
COPY --from=build /tollgate/dist dist
COPY --from=build /tollgate/node_modules node_modules
COPY freeswitch-conf freeswitch-conf
RUN ln -s /tollgate/bin/tollgate.js /usr/local/bin/tollgate \
 && install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["tollgate", "ping"]
ENTRYPOINT ["tollgate"]
CMD ["run"]
