/**
 * Methods that are known here (IANA registry and the usual extensions). An unknown one is refused: what a method means
 * decides whether a request is retried and whether its response has a body.
 */
export const knownMethods: ReadonlyMap<string, string> = new Map(
  [
    ...'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY'.split(' '),
    ...'ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL'.split(
      ' ',
    ),
    ...'MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH REBIND REPORT SEARCH UNBIND UNCHECKOUT'.split(
      ' ',
    ),
    ...'UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL'.split(' '),
    ...'PURGE NOTIFY SUBSCRIBE UNSUBSCRIBE'.split(' '),
  ].map((method) => [method, method]),
);

/** No known method is longer. */
export const MAX_METHOD_LENGTH = 24;
