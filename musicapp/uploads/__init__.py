"""Files come in: resumable uploads and the pipeline that turns one into a track."""
