import { alertsSuite } from "./alerts-suite.ts";
import { sqliteSubject } from "./harness.ts";
import { lettersSuite } from "./letters-suite.ts";
import { replaySuite } from "./replay-suite.ts";
import { storeSuite } from "./suite.ts";

storeSuite(sqliteSubject);
lettersSuite(sqliteSubject);
alertsSuite(sqliteSubject);
replaySuite(sqliteSubject);
