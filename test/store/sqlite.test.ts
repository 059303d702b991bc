import { sqliteSubject } from "./harness.ts";
import { storeSuite } from "./suite.ts";

storeSuite(sqliteSubject);
