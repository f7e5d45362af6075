// Redrive inside a Hono app, at /redrive. Next and others that speak fetch take it in the same way.
//
// Run it with: npx jiti examples/http-hono/main.ts
import { once } from 'node:events';
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { redriveHttp } from 'redrive/http';
import { openShop } from '../http-shop/shop.ts';
import { visit } from '../http-shop/visit.ts';

const token = 'a-long-random-text';
const shop = await openShop();
const http = redriveHttp(shop.redrive, { basePath: '/redrive', token });

const app = new Hono();
app.get('/', (context) => context.text('Welcome'));
app.all('/redrive/*', (context) => http.fetch(context.req.raw));

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
await once(server, 'listening');
await visit(shop, server, { basePath: '/redrive', token });
