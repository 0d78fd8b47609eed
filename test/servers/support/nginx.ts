import { startWebServer, type WebServer } from './web-server.js'

export interface NginxOptions {
  /** More lines for the place that is served. */
  readonly directives?: string
}

/** Starts nginx with its dav and dav-ext modules: WebDAV with rough edges. */
export function startNginx(options: NginxOptions = {}): Promise<WebServer> {
  return startWebServer({
    program: '/usr/sbin/nginx',
    argumentsFor: (configuration) => ['-e', 'stderr', '-c', configuration],
    configurationFor: ({ home, port, documents }) => `
      load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
      ${process.getuid?.() === 0 ? 'user root;' : ''}
      daemon off;
      worker_processes 2;
      pid ${home}/state/pid;
      error_log stderr;
      events { worker_connections 256; }
      http {
        access_log off;
        client_body_temp_path ${home}/state/bodies;
        proxy_temp_path ${home}/state/proxy;
        fastcgi_temp_path ${home}/state/fastcgi;
        uwsgi_temp_path ${home}/state/uwsgi;
        scgi_temp_path ${home}/state/scgi;
        client_max_body_size 0;
        server {
          listen 127.0.0.1:${port};
          root ${documents};
          location / {
            dav_methods PUT DELETE MKCOL COPY MOVE;
            dav_ext_methods PROPFIND OPTIONS;
            ${options.directives ?? ''}
          }
        }
      }`,
  })
}
