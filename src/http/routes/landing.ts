import type { Application } from "../app.ts";
import { renderPage } from "../page/page.ts";
import type { Route } from "../route.ts";
import { send } from "../send.ts";

/** The page for people: what is collected, how it goes, and where to look next. */
export function landingRoute(app: Application): Route {
  return {
    method: "GET",
    path: "/",
    access: "read",
    handle(_request, response) {
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
