/** The description of the API, and a page that shows it: all of it from here, no script in the page. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { openApi } from './openapi.js'

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>The API of Tollgate</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`

const START = `SwaggerUIBundle({ url: '/api/v1/openapi.json', dom_id: '#swagger-ui', deepLinking: true })
`

/** Only what the page needs of the package. */
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js']

export async function docs(app: FastifyInstance): Promise<void> {
  const root = dirname(
    createRequire(import.meta.url).resolve('@fastify/swagger-ui/static/index.html'),
  )
  await app.register(fastifyStatic, { root, serve: false })
  const described = openApi(version())
  app.get('/v1/openapi.json', () => described)
  app.get('/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(PAGE))
  app.get('/docs/start.js', (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(START),
  )
  for (const file of FILES) {
    app.get(`/docs/${file}`, (_request, reply) => {
      reply.header('cache-control', 'public, max-age=86400')
      return reply.sendFile(file, { cacheControl: false })
    })
  }
}

/** That of the package, from wherever this file has been compiled to. */
function version(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
