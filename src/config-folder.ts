/** Where the ledger and the rates are, unless --data or TOLLGATE_DATA says otherwise. */
const DATA_DIR = './data'

/** The data directory: what --data says, or else TOLLGATE_DATA, or else `./data`. */
export function dataDirectory(option: string | undefined, env: NodeJS.ProcessEnv): string {
  return option || env['TOLLGATE_DATA'] || DATA_DIR
}
