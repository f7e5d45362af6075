export type { Authorization, NamedToken, RedriveHttpOptions } from './options.ts';
export { redriveHttp, type RedriveHttp } from './redrive-http.ts';
