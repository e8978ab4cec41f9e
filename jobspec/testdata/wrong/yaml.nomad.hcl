job:
  web:
    group:
      - name: web
