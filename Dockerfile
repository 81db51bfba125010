FROM node:20-bookworm AS build
WORKDIR /tollgate
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY bin bin
COPY src src
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
ENV NODE_ENV=production TOLLGATE_DATA=/data
WORKDIR /tollgate
COPY --from=build /tollgate/package.json ./
COPY --from=build /tollgate/bin bin
COPY --from=build /tollgate/dist dist
COPY --from=build /tollgate/node_modules node_modules
COPY freeswitch-conf freeswitch-conf
RUN ln -s /tollgate/bin/tollgate.js /usr/local/bin/tollgate && install -d -o node -m 0700 /data
USER node
VOLUME /data
ENTRYPOINT ["tollgate"]
CMD ["run"]
