// Each protected server turns to "Seen" by itself, once its app has used it through Portcullis.
import { useApps } from "../../api/queries";
import { isProtected, serversOf } from "../../lib/apps";
import { AppLetter, ObservedMark } from "../../parts/AppBadge";
import { Button } from "../../parts/controls";
import { Name } from "../../parts/Hostile";
import { Icon } from "../../parts/Icon";
import { Empty, Waiting } from "../../parts/states";
import { text } from "../../text";

const t = text.welcome;

export function Restart({
  onBack,
  onNext,
  onLeave,
}: {
  onBack: () => void;
  onNext: () => void;
  onLeave: () => void;
}) {
  const apps = useApps();
  const on = (apps.data ?? []).filter(isProtected);
  return (
    <>
      <div className="stepmain">
        <h1 tabIndex={-1}>{t.restart.title}</h1>
        <p className="muted prose">{t.restart.lead}</p>
        <Waiting query={apps} rows={4} tall />
        {apps.data && on.length === 0 && <Empty title={t.restart.none} />}
        {on.map((app) => (
          <section key={app.id} className="card" aria-label={app.name}>
            <div className="pick">
              <AppLetter name={app.name} />
              <div className="grow">
                <b>{app.name}</b>
                {app.hint !== null && <p className="small muted">{app.hint}</p>}
              </div>
            </div>
            <ul className="restartlist">
              {serversOf(app)
                .filter((server) => server.protected)
                .map((server) => (
                  <li key={server.name}>
                    <span className="grow ell">
                      <Name value={server.name} />
                    </span>
                    <ObservedMark observed={server.observed} />
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </div>
      <footer className="stepfoot">
        <Button onClick={onBack}>
          <Icon name="back" />
          {text.ask.back}
        </Button>
        <Button look="quiet" onClick={onLeave}>
          {t.notNow}
        </Button>
        <span className="grow" />
        <Button look="solid" onClick={onNext}>
          {t.next}
        </Button>
      </footer>
    </>
  );
}
