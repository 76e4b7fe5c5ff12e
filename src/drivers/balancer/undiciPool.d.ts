/**
 * Only undici's pool and client: its main module also loads fetch, WebSocket and caches, 10 MB that an agent never
 * uses.
 */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici'
  export default Pool
}

declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici'
  export default Client
}
