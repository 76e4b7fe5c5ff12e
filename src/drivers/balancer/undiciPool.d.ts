/** Only the pool of undici: its main module also loads fetch, WebSocket and caches, 10 MB that an agent never uses. */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici'
  export default Pool
}
