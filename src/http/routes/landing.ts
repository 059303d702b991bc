import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { send } from "../send.ts";

/** The page for people: what is collected, how it goes, and where to look next. */
export function landingRoute(app: Application): Route {
  return {
    method: "GET",
    path: "/",
    access: "read",
    async handle(_request, response) {
      // Loaded when somebody looks: what it writes numbers and times with takes several megabytes.
      const { renderPage } = await import("../page/page.ts");
      const { version, startedAt, docsUrl } = app;
      const page = renderPage({
        version,
        startedAt,
        docsUrl,
        overview: app.describe(),
        ...app.ready(),
        now: new Date(),
      });
      send(response, 200, "text/html; charset=utf-8", page);
    },
  };
}
