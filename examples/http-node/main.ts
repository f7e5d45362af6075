// Redrive inside a server of node:http, at /redrive.
//
// Run it with: npx jiti examples/http-node/main.ts
import { once } from 'node:events';
import { createServer } from 'node:http';
import { redriveHttp } from 'redrive/http';
import { openShop } from '../http-shop/shop.ts';
import { visit } from '../http-shop/visit.ts';

const token = 'a-long-random-text';
const shop = await openShop();
const http = redriveHttp(shop.redrive, { basePath: '/redrive', token });

const server = createServer((request, response) => {
  if (request.url?.startsWith('/redrive/') === true) http.listener(request, response);
  else response.end('Welcome');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
await visit(shop, server, { basePath: '/redrive', token });
