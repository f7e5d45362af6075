// What the command that serves needs, in one place: it is loaded only then.
export { redriveHttp } from './redrive-http.ts';
export { hostsFor, isLoopbackName } from './security/host.ts';
export { listen } from './server.ts';
