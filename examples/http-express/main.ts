// Redrive inside an Express app, at /redrive.
//
// Run it with: npx jiti examples/http-express/main.ts
import { once } from 'node:events';
import express from 'express';
import { redriveHttp } from 'redrive/http';
import { openShop } from '../http-shop/shop.ts';
import { visit } from '../http-shop/visit.ts';

const token = 'a-long-random-text';
const shop = await openShop();
const http = redriveHttp(shop.redrive, { basePath: '/redrive', token });

const app = express();
app.use('/redrive', http.listener);
app.use(express.json());
app.get('/', (_request, response) => void response.send('Welcome'));

const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
await visit(shop, server, { basePath: '/redrive', token });
