// Redrive inside a Fastify app, at /redrive.
//
// Run it with: npx jiti examples/http-fastify/main.ts
import fastify from 'fastify';
import { redriveHttp } from 'redrive/http';
import { openShop } from '../http-shop/shop.ts';
import { visit } from '../http-shop/visit.ts';

const token = 'a-long-random-text';
const shop = await openShop();
const http = redriveHttp(shop.redrive, { basePath: '/redrive', token });

const app = fastify();
app.get('/', () => 'Welcome');
await app.register(async (scope) => {
  // Redrive reads bodies itself.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
  scope.all('/redrive/*', (request, reply) => {
    reply.hijack();
    http.listener(request.raw, reply.raw);
  });
});

await app.listen({ port: 0, host: '127.0.0.1' });
await visit(shop, app.server, { basePath: '/redrive', token });
