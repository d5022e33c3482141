/** Variables by which the primary process of a node tells those it starts what it found or started; no settings. */

/** Where the database is. */
export const databaseHandedDown = 'PRIMARY_DATABASE_URL';
/** Where the custodian is: JSON of a CustodianAddress, holds no secret. */
export const custodianHandedDown = 'PRIMARY_CUSTODIAN';
